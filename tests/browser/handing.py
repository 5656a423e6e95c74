"""Recording the minutes of a handover, as somebody at an agency does on the page."""

from datetime import datetime

from playwright.async_api import Page


async def record_minutes(page: Page, number: str, *, signed_at: datetime) -> None:
    """From the case to the form and back; to family, before the village. `signed_at`: by the office's clock."""
    await page.get_by_role("link", name="Berita acara serah terima").click()
    await page.fill("#f-number", number)
    for name, value in (
        ("receiver", "family"),
        ("witness", "village"),
        ("documents", "belongings"),
        ("condition", "well"),
    ):
        await page.locator("label", has=page.locator(f"input[name={name}][value={value}]")).click()
    for name in ("handed_at", "signed_at"):
        await page.fill(f"#f-{name}", signed_at.strftime("%Y-%m-%dT%H:%M"))
    await page.get_by_role("button", name="Catat berita acara").click()
    await page.get_by_role("button", name="Selesaikan").wait_for()
