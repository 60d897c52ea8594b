"""`POST /fill-mask`: what callers of the native interface may send, and what they get."""

import httpx
import pytest

from fakes import FakeEngine, FakeStore
from native_calls import TEXT, fill, predictions, refuse, tokens


async def test_answer_is_that_of_the_documentation(client: httpx.AsyncClient) -> None:
    """Every field of the answer is there and right."""
    assert await fill(client, top_k=1) == {
        "preset": "tiny",
        "results": [
            {
                "masks": [
                    {
                        "position": 6,
                        "start": 25,
                        "end": 31,
                        "predictions": [
                            {
                                "score": pytest.approx(0.5),
                                "token": 0,
                                "token_str": "paris",
                                "sequence": "The capital of France is paris.",
                            }
                        ],
                    }
                ],
                "tokens": 9,
            }
        ],
    }


async def test_named_preset_answers(client: httpx.AsyncClient, store: FakeStore) -> None:
    """A caller chooses the model."""
    answer = await fill(client, preset="other")
    assert (answer["preset"], store.loads) == ("other", ["other"])


async def test_null_is_as_good_as_left_out(client: httpx.AsyncClient) -> None:
    """Clients that write every field are understood."""
    assert await fill(client, preset=None, top_k=None, targets=None) == await fill(client)


async def test_every_input_has_a_result_in_order(client: httpx.AsyncClient) -> None:
    """Results come as the inputs came."""
    answer = await fill(client, inputs=["the cat is [MASK]", "[MASK]", "a dog [MASK]"])
    assert [result["tokens"] for result in answer["results"]] == [6, 3, 5]


async def test_every_mask_has_its_candidates_in_order(client: httpx.AsyncClient) -> None:
    """Masks come as they stand in the text."""
    answer = await fill(client, inputs="the [MASK] is [MASK]")
    assert [mask["position"] for mask in answer["results"][0]["masks"]] == [2, 4]


async def test_sequence_fills_one_mask_and_leaves_the_others(client: httpx.AsyncClient) -> None:
    """Each candidate is shown by itself."""
    answer = await fill(client, inputs="[MASK] is [MASK]", top_k=1)
    sequences = [predictions(answer, mask=mask)[0]["sequence"] for mask in range(2)]
    assert sequences == ["paris is [MASK]", "[MASK] is paris"]


async def test_sequence_keeps_case_and_spacing(client: httpx.AsyncClient) -> None:
    """What the caller wrote is the caller's own."""
    answer = await fill(client, inputs="  THE  Cat\tis [MASK] .\n", top_k=1)
    assert predictions(answer)[0]["sequence"] == "  THE  Cat\tis paris .\n"


async def test_sequence_joins_a_piece_to_the_word_before(client: httpx.AsyncClient) -> None:
    """A piece is the rest of a word, not a word."""
    answer = await fill(client, inputs="The Cat [MASK] sat.", targets=["##s"])
    assert predictions(answer)[0]["sequence"] == "The Cats sat."


async def test_five_candidates_are_returned_by_default(client: httpx.AsyncClient) -> None:
    """The likeliest five, the likeliest first."""
    assert tokens(await fill(client)) == ["paris", "london", "##s", "the", "capital"]


async def test_as_many_candidates_are_returned_as_asked_for(client: httpx.AsyncClient) -> None:
    """`top_k` counts candidates."""
    assert len(tokens(await fill(client, top_k=9))) == 9


async def test_more_candidates_than_the_vocabulary_has_are_all_of_it(
    client: httpx.AsyncClient,
) -> None:
    """Nothing is made up to reach `top_k`."""
    assert len(tokens(await fill(client, top_k=100))) == 17


@pytest.mark.parametrize("top_k", [0, -1, 10**9, "5", True, 1.5, [5]])
async def test_top_k_out_of_reason_is_refused(client: httpx.AsyncClient, top_k: object) -> None:
    """`top_k` is a whole number between one and the limit, and nothing that looks like one."""
    assert (await refuse(client, top_k=top_k))["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_text"),
        (" \n\t", "empty_text"),
        ("no mask", "mask_not_found"),
        ("\x00", "mask_not_found"),
        ("the " * 31 + "[MASK]", "text_too_long"),
    ],
)
async def test_bad_input_is_located(client: httpx.AsyncClient, text: str, code: str) -> None:
    """An error says which of the inputs is at fault."""
    answer = await refuse(client, inputs=[TEXT, text, TEXT])
    assert (answer["code"], answer["input"]) == (code, 1)


@pytest.mark.parametrize("inputs", [[], None, 1, {}, [1], [[TEXT]], [TEXT, None]])
async def test_inputs_of_another_form_are_refused(
    client: httpx.AsyncClient, inputs: object
) -> None:
    """Inputs are a text or some texts."""
    assert (await refuse(client, inputs=inputs))["code"] == "invalid_request"


async def test_unknown_field_is_refused(client: httpx.AsyncClient) -> None:
    """A misspelt field is told, never silently without effect."""
    answer = await refuse(client, topk=3)
    assert answer["code"] == "invalid_request"
    assert "topk" in answer["error"]


async def test_nul_in_a_text_is_no_obstacle(client: httpx.AsyncClient) -> None:
    """The tokenizer drops it, and the offsets still fit."""
    answer = await fill(client, inputs="the\x00 [MASK]", top_k=1)
    assert predictions(answer)[0]["sequence"] == "the\x00 paris"


async def test_texts_of_one_request_run_together(
    client: httpx.AsyncClient, store: FakeStore
) -> None:
    """A request of several texts is one batch on an idle engine."""
    engine = store.engines["tiny"] = FakeEngine()
    await fill(client, inputs=[TEXT] * 5)
    assert engine.batch_sizes == [5]


async def test_empty_name_is_no_preset(client: httpx.AsyncClient) -> None:
    """It is a mistake, and not a wish for the default one."""
    answer = await client.post("/fill-mask", json={"inputs": "the [MASK]", "preset": ""})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "at preset" in answer.json()["error"]
