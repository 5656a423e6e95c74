"""Environment of referral, read once and frozen."""

from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from shared.kit import unsafe
from shared.kit.settings import KitSettings, refuse


class Settings(KitSettings):
    """What referral is told by its environment."""

    service: ClassVar[str] = "referral"

    intake_url: str
    """Where an accepted person's identity is asked for."""
    answer_limit_max_s: float | None = Field(default=None, gt=0)
    """Caps the time an agency has to answer; for drills. The rules' hours hold without it."""

    @field_validator("intake_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must be the address of intake, for example http://127.0.0.1:8101")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _is_no_drill(self) -> "Settings":
        if self.environment == "production":
            intake = urlsplit(self.intake_url)
            refuse("intake_url", "must not be this machine" if unsafe.is_this_machine(intake.hostname) else "")
            refuse("intake_url", "must have no user or password" if intake.username is not None else "")
            refuse("answer_limit_max_s", "" if self.answer_limit_max_s is None else "must not be set")
        return self

    @property
    def answer_limit(self) -> timedelta | None:
        return None if self.answer_limit_max_s is None else timedelta(seconds=self.answer_limit_max_s)
