"""What Hugging Face's Inference clients speak: the fill-mask task, and what they ask beside it.

Lives here: the routes below `/models`, `POST /` for clients that know an address only, and their
wire models. Knows the fill task, and how presets stand. Does not know the native interface's wire
models, or any client.
"""

from fastapi import APIRouter

from service.routes.hugging_face import endpoint, fill_mask_task

router = APIRouter()
for _routes in (fill_mask_task, endpoint):
    router.include_router(_routes.router)

__all__ = ["router"]
