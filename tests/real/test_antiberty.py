"""Real weights from elsewhere: AntiBERTy, converted and served, does what it was published with."""

from collections.abc import Iterator

import httpx
import pytest

from e2e.running_server import RunningServer, start_server
from real.convert_antiberty import convert
from real.wheels import fetch_wheel

pytestmark = pytest.mark.real

SHA256 = "30d910992b190013871bac49cdc032e01a19339f7d2b958ab99b0eb44638352a"

HEAVY = (
    "EVQLVQSGPEVKKPGTSVKVSCKASGFTFMSSAVQWVRQARGQRLEWIGWIVIGSGNTNYAQKFQERVTITRDMSTSTAYMELSSLRSEDTAVYY"
    "CAAPYCSSISCNDGFDIWGQGTMVTVS"
)
LIGHT = (
    "DVVMTQTPFSLPVSLGDQASISCRSSQSLVHSNGNTYLHWYLQKPGQSPKLLIYKVSNRFSGVPDRFSGSGSGTDFTLKISRVEAEDLGVYFCSQ"
    "STHVPYTFGGGTKLEIK"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose default preset is AntiBERTy."""
    store = tmp_path_factory.mktemp("store")
    convert(fetch_wheel("antiberty", "0.1.3", SHA256), store / "antiberty")
    env = {"FILLMASK_MODEL_STORE_DIR": str(store), "FILLMASK_DEFAULT_PRESET": "antiberty"}
    with start_server(env, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.parametrize(
    ("sequence", "masked", "at_least"), [(LIGHT, 28, 26), (HEAVY, 31, 27)], ids=["light", "heavy"]
)
def test_every_fourth_residue_is_recovered_as_published(
    server: RunningServer, sequence: str, masked: int, at_least: int
) -> None:
    """One residue masked at a time, at top-1: the published model's own figures."""
    positions = range(0, len(sequence), 4)
    texts = [
        " ".join(
            "[MASK]" if index == position else residue for index, residue in enumerate(sequence)
        )
        for position in positions
    ]
    body = {"inputs": texts, "top_k": 1}
    response = httpx.post(f"{server.url}/fill-mask", json=body, timeout=60, trust_env=False)
    predicted = [result["masks"][0]["predictions"][0] for result in response.json()["results"]]
    recovered = sum(
        prediction["token_str"] == sequence[position]
        for prediction, position in zip(predicted, positions, strict=True)
    )
    assert len(texts) == masked
    assert recovered >= at_least
