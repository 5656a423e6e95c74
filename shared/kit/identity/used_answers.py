"""Answers of the identity provider that count once: each is remembered by a digest until it has ended by itself."""

import hashlib
from datetime import datetime

import asyncpg

USE = "INSERT INTO used_answers (digest, ends_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
FORGET = """
DELETE FROM used_answers WHERE digest IN
    (SELECT digest FROM used_answers WHERE ends_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)
"""


async def use_once(connection: asyncpg.Connection, answer: str, ends_at: datetime, now: datetime) -> bool:
    """True the first time that this answer is used."""
    await connection.execute(FORGET, now)
    said: str = await connection.execute(USE, hashlib.sha256(answer.encode()).digest(), ends_at)
    return said == "INSERT 0 1"
