"""One tiny model of an architecture, and passes over it that use transformers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .marks import NoReference, must, own
from .roster import HEADS
from .tiny import HIDDEN, TEXT

TARGET = "She loved every minute."


@dataclass(frozen=True, eq=False)
class Subject:
    """What the checks of an architecture read.

    network: the reference, loaded by transformers, eager, float32. model: as maskviz loads it.
    mask: hides one word of the text. plain: the text as maskviz encodes it. ids: by the tokenizer
    alone. hidden: the places of the hidden word's tokens, found by their offsets. target: what the
    decoder of an encoder–decoder reads, empty elsewhere. given: more of its configuration.
    """

    name: str
    head: str
    folder: Path
    cls: Any
    tokenizer: Any
    network: Any
    model: Any
    mask: Any
    plain: Any
    ids: tuple[int, ...]
    hidden: tuple[int, ...]
    target: tuple[int, ...]
    given: dict[str, Any]

    @property
    def seen(self) -> list[int]:
        """Return 1 for each token, 0 for those of the hidden word."""
        return [int(i not in self.hidden) for i in range(len(self.ids))]

    @property
    def two_sided(self) -> bool:
        """Tell whether it is an encoder–decoder."""
        return bool(self.network.config.is_encoder_decoder)

    @property
    def part(self) -> str | None:
        """Return the part of the reference that reads the text."""
        return "encoder" if self.two_sided else None

    def changed(self, token: int) -> list[int]:
        """Return the ids with a token in each place of the hidden word."""
        return [token if i in self.hidden else one for i, one in enumerate(self.ids)]

    def kept(self) -> list[int]:
        """Return the ids without those of the hidden word."""
        return [one for i, one in enumerate(self.ids) if i not in self.hidden]

    def passed(self, ids: Sequence[int], seen: Sequence[int] | None = None, **more: Any) -> Any:
        """Return what the reference puts out for one text."""
        import torch

        seen = [1] * len(ids) if seen is None else seen
        network = more.pop("network", self.network)
        core = network.base_model
        if hasattr(core, "set_attention_type"):  # BigBird stays with what a short text needed
            core.set_attention_type(core.config.attention_type)
        if self.target:
            more = {"decoder_input_ids": torch.tensor([self.target]), "use_cache": False, **more}
        with torch.no_grad():
            return network(
                input_ids=torch.tensor([ids]), attention_mask=torch.tensor([seen]), **more
            )

    def chances(self, ids: Sequence[int], seen: Sequence[int] | None = None, **more: Any) -> Any:
        """Return the reference's probabilities of the labels, (labels,)."""
        found = own(lambda: self.passed(ids, seen, **more).logits[0].double().softmax(-1))
        return found.numpy()

    def hidden_chances(self) -> Any:
        """Return the probabilities with the word hidden from attention, in a decoder as well."""
        return self.chances(self.ids, self.seen, **self.read_again())

    def read_again(self) -> dict[str, Any]:
        """Return what the decoder of a classifier reads: the text moved by one, hidden as well."""
        import torch

        if not self.two_sided:
            return {}
        start = self.network.config.decoder_start_token_id
        first = self.ids[-1] if self.name in ("mbart", "plbart") else start
        ids = [first, *self.changed(start)[:-1]]
        return {
            "decoder_input_ids": torch.tensor([ids]),
            "decoder_attention_mask": torch.tensor([[1, *self.seen[:-1]]]),
        }

    def attentions(self, seen: Sequence[int] | None = None) -> dict[str | None, list[Any]]:
        """Return the layers of attention that transformers shows, by part, each (h, q, k)."""
        import torch

        output = self.passed(self.ids, seen, output_attentions=True)
        if self.two_sided and not hasattr(output, "encoder_attentions"):
            text = torch.tensor([self.ids])
            output = self.network.base_model(
                input_ids=text,
                attention_mask=torch.tensor([seen or [1] * len(self.ids)]),
                decoder_input_ids=text,
                output_attentions=True,
            )
        if self.two_sided:
            named = {part: getattr(output, f"{part}_attentions") for part in ("encoder", "decoder")}
            named["cross"] = output.cross_attentions
        else:
            named = {None: getattr(output, "attentions", None)}
        return {part: self._layers(layers or ()) for part, layers in named.items()}

    def _layers(self, layers: Sequence[Any]) -> list[Any]:
        import torch

        found = [one for one in layers if one is not None]
        if any(not torch.is_tensor(one) or one.dim() != 4 for one in found):
            raise NoReference("transformers shows its attention in another shape")
        if self.name == "squeezebert":  # transformers returns its scores
            found = [one.softmax(-1) for one in found]
        sides = len(self.ids), len(self.target) or len(self.ids)
        # Of layers that recur transformers returns the state.
        square = [one for one in found if one.shape[-1] in sides and one.shape[-2] in sides]
        return [one[0].detach().float().numpy() for one in square or found]

    def shown(self) -> list[Any]:
        """Return the attention of the part that reads the text; NoReference where none is shown."""
        found = own(self.attentions)[self.part]
        if not found:
            raise NoReference("transformers shows no attention")
        return found


def fresh(cls: Any, folder: Path) -> Any:
    """Return a model of transformers' own, eager and in float32.

    Falcon's eager attention adds ALiBi twice, so that with it the fused one is the reference.
    """
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    twice = config.model_type == "falcon" and config.alibi
    network = cls.from_pretrained(
        folder, attn_implementation="sdpa" if twice else "eager", dtype=torch.float32
    ).eval()
    if getattr(network.config, "pad_token_id", None) is None:
        network.config.pad_token_id = 0
    return network


def subject(
    name: str, head: str, folder: Path, reference: tuple[Any, Any, Any], given: dict[str, Any]
) -> Subject:
    """Return what the checks read: a model as maskviz loads it, beside transformers' own."""
    import maskviz

    cls, tokenizer, network = reference
    model = maskviz.load_model(folder)
    must(HEADS[head] in model.capabilities, f"{HEADS[head]} is none of {model.capabilities}")
    plain = maskviz.apply(TEXT, model=model)
    ids = tokenizer(TEXT)["input_ids"]
    must(list(plain.input_ids) == ids, "the ids differ from the tokenizer's")
    target = ()
    if network.config.is_encoder_decoder and head != "cls":
        start = getattr(network.config, "decoder_start_token_id", None) or 0
        target = (start, *tokenizer(TARGET)["input_ids"][:6])
    return Subject(
        name, head, folder, cls, tokenizer, network, model,
        maskviz.mask(TEXT, "pattern", words=HIDDEN), plain, tuple(ids),
        _places(tokenizer), target, given,
    )  # fmt: skip


def _places(tokenizer: Any) -> tuple[int, ...]:
    """Return which tokens hold a letter of the hidden word, by the tokenizer's own offsets."""
    begin = TEXT.index(HIDDEN)
    offsets = tokenizer(TEXT, return_offsets_mapping=True)["offset_mapping"]
    letters = set(range(begin, begin + len(HIDDEN)))
    return tuple(i for i, (start, end) in enumerate(offsets) if letters & set(range(start, end)))
