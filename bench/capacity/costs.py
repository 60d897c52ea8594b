"""What one request costs, in processor time and bytes: time that counts nobody's waiting."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import process_time

from tokenizers import Tokenizer

from bench.load import Job
from bench.machine import name_kind
from bench.sentences import TOP_K, make_mix, make_warm_up_bodies
from bench.server_load import send_load
from bench.servers import FILLMASK, RunningServer, Server, count_seconds, exchange, post, run_server
from bench.shapes import MINILM, locate_preset

_PORT = 18_500
_CALLERS = 32
_SECONDS = 3.0
_PASSES = 20


@dataclass(frozen=True, slots=True)
class Costs:
    """Of a request of one text; seconds of a core, and bytes.

    Attributes:
        tokenize_s: the tokenizer alone.
        http_s: all that a worker does for `/tokenize`: HTTP, JSON, checks, the tokenizer.
        fill_s: all that one process does for `/fill-mask` with 32 callers, the model's work too.
        sent_bytes: a request's, with its head.
        answer_bytes: its answer's, with its head.
        memory_bytes: what such a process has in use.
    """

    tokenize_s: float
    http_s: float
    fill_s: float
    sent_bytes: float
    answer_bytes: float
    memory_bytes: float


def measure_costs(rounds: int = 3) -> Costs:
    """Return what was measured with the embedded preset, medians of the rounds."""
    preset = locate_preset(MINILM, Path())
    texts = make_mix()
    fills = [json.dumps({"inputs": text, "top_k": TOP_K}) for text in texts]
    with run_server(FILLMASK, preset, _PORT) as running:
        for body in make_warm_up_bodies():
            post(FILLMASK, _PORT, body)
        tokenizing = Server("tokenize", (), path="/tokenize")
        words = [json.dumps({"inputs": text}) for text in texts]
        https = [_cost(running, tokenizing, words) for _ in range(rounds)]
        filled = [_cost(running, FILLMASK, fills) for _ in range(rounds)]
        answers = [exchange(FILLMASK, _PORT, json.loads(body)) for body in fills[:50]]
        status = Path(f"/proc/{running.process.pid}/statm").read_text("utf-8").split()
    head = 150  # what a client's head has: path, host, type, length, agent
    return Costs(
        tokenize_s=_time_tokenizer(preset, texts),
        http_s=median(https),
        fill_s=median(filled),
        sent_bytes=head + sum(map(len, fills)) / len(fills),
        answer_bytes=sum(map(len, answers)) / len(answers),
        memory_bytes=int(status[1]) * 4096,
    )


def _cost(running: RunningServer, server: Server, bodies: list[str]) -> float:
    before = count_seconds(running)
    job = Job(_PORT, server.path, bodies, _CALLERS, warm_seconds=0.0, seconds=_SECONDS)
    report = send_load(server, job)
    return (count_seconds(running) - before) / report.answers


def _time_tokenizer(preset: Path, texts: list[str]) -> float:
    tokenizer = Tokenizer.from_file(str(preset / "tokenizer.json"))
    started = process_time()
    for _ in range(_PASSES):
        for text in texts:
            tokenizer.encode(text)
    return (process_time() - started) / (_PASSES * len(texts))


def write_costs(costs: Costs, folder: Path) -> Path:
    """Keep costs under the kind of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name_kind()}-costs.json"
    plain = {name: float(f"{value:.4g}") for name, value in asdict(costs).items()}
    file.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    return file


def read_costs(file: Path) -> Costs:
    """Read what was kept."""
    return Costs(**json.loads(file.read_text("utf-8")))
