"""A new version of a preset goes from replica to replica, and no request is lost meanwhile."""

from typing import TYPE_CHECKING

from fakes import VOCABULARY, FakeEngine, FakeStore, make_preset
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.engines.fill_mask import FillMaskModel
from model_store.loading.load_news import Report, tell_nobody

if TYPE_CHECKING:
    from service.processes.ray.conftest import ServeCluster

TEXT = "the [MASK]"


class VersionedStore(FakeStore):
    """A store whose preset has a version, each with a vocabulary of its own."""

    def __init__(self) -> None:
        """Have the first."""
        super().__init__([make_preset("tiny")])
        self.version = 1

    def load(self, name: str, report: Report = tell_nobody) -> FillMaskModel:
        """Return a model whose likeliest token names the version."""
        facts = super().load(name, report).facts
        vocabulary = (f"paris{self.version}", *VOCABULARY[1:])
        return FillMaskModel(FakeEngine(), build_word_piece(vocabulary), facts)


async def test_text_goes_to_a_replica_that_reads_it_as_it_was_read(
    serve_cluster: "ServeCluster",
) -> None:
    """One replica has the new version and is asked first, the other one still has the old."""
    new, old = VersionedStore(), VersionedStore()
    async with serve_cluster(new, old) as cluster, cluster.ingress() as ingress:
        for replica in cluster.replicas:
            await replica._host.models.load("tiny")
            await replica.list_held()
        await ingress.post("/fill-mask", json={"inputs": TEXT})
        new.version = 2
        await cluster.replicas[0]._host.models.load("tiny", reload=True)
        await cluster.replicas[0].list_held()
        answer = await ingress.post("/fill-mask", json={"inputs": TEXT})
        assert "the paris1" in answer.text
        old.version = 2
        await ingress.post("/presets/tiny/load", json={"reload": True})
        answer = await ingress.post("/fill-mask", json={"inputs": TEXT})
        assert "the paris2" in answer.text
