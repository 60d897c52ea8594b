"""What clients of KServe, Triton and MLServer speak: KServe V1, and the Open Inference Protocol.

Lives here: the routes below `/v1` and `/v2`, and their wire models. Knows requests and answers of
tasks, and how presets stand. Does not know the native interface's wire models, or any client.
"""

from fastapi import APIRouter

from service.routes.kserve import infer, models, repository, server, v1_models, v1_predict

router = APIRouter()
for _routes in (v1_models, v1_predict, server, models, infer, repository):
    router.include_router(_routes.router)

__all__ = ["router"]
