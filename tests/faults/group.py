"""Consumer groups, asked and told past any client of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest


async def expel(bootstrap: str, group: str) -> None:
    """Take every member out of a group whose only process is dead: what the broker does after ten seconds."""
    async with _admin(bootstrap) as admin:
        coordinator = await admin.find_coordinator(group)
        for member_id in await _members(admin, group, coordinator):
            await admin._send_request(LeaveGroupRequest(group, member_id), coordinator)


async def is_empty(bootstrap: str, group: str) -> bool:
    """True when the broker counts nobody as a member."""
    async with _admin(bootstrap) as admin:
        return not await _members(admin, group, await admin.find_coordinator(group))


async def _members(admin: AIOKafkaAdminClient, group: str, coordinator: int) -> list[str]:
    answers = await admin.describe_consumer_groups([group], coordinator)
    return [member[0] for answer in answers for described in answer.groups for member in described[5]]


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
