"""The pages of the port."""

from shared.kit.web import page_router

router = page_router()
