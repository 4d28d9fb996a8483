"""A model loaded once: its tokenizer, what it can do, and its networks, each loaded when asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..byte_cache import ByteCache
from ..errors import CapabilityError, MissingDependencyError, ModelNotFoundError
from ..text.alignment import Tokenised, tokenise
from .abilities import LEARNED, capabilities, mask_is_learned
from .building import LOADING, quiet
from .gguf import source_of
from .linear import quickened
from .locate import BUNDLED, allowed, bundled, locate, parameters_on_hub
from .memory import NETWORKS, shared, size_of_network, size_of_tokenizer
from .opened import opened, settled
from .raised import from_architecture, naming
from .saved import as_saved
from .size import bytes_for, dtype_for, fits, parameters_in, torch_dtype

if TYPE_CHECKING:
    from ..text.conversation import Conversation
    from .limits import Limit

_MAIN = ("classify", "fill", "generate", "translate", "encode")
_READ = 32_000_000  # bytes of texts as tokens, of each model
_BYTES_PER_TOKEN = 250  # the token, its id and its offsets
_ADVICE = {
    "fill": "choose a masked language model such as 'mini' or 'bert-base-cased'.",
    "classify": "choose a classifier such as 'mini', or fine-tune this one first.",
    "translate": "choose an encoder–decoder, such as a Marian or T5 model.",
}


@dataclass(frozen=True, eq=False)
class Model:
    """A model and everything it needs; networks are in evaluation mode and shared: never train one.

    capabilities: of `fill` (masked language model), `classify`, `generate` (decoder),
        `translate` (encoder–decoder) and `encode` (every model).
    notice: a sentence where its tokenizer is read otherwise than transformers does, else empty.
    lock: hold it around a forward pass; the pages of all users share one network.
    memos: what `remembered` keeps of it. read: texts as its tokens, those used last.
    around: entered around each pass, where something inside is changed; then `original` is the
        model as it was loaded, whose networks and checks these are.
    """

    name: str
    path: str
    config: Any
    tokenizer: Any
    capabilities: frozenset[str]
    notice: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    memos: dict[Any, Any] = field(default_factory=dict, repr=False)
    read: ByteCache = field(default_factory=lambda: ByteCache(_READ), repr=False)
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    original: Model | None = None

    @property
    def bare(self) -> Model:
        """The model itself, where this one reads every text within a prompt."""
        return self

    def conversation(self, text: str) -> Conversation | None:
        """The conversation whose contents a text is, where this one reads texts as such."""
        return None

    @property
    def family(self) -> str:
        """The architecture, as transformers names it: `bert`, `gpt2`, `t5`, …"""
        return self.config.model_type

    @cached_property
    def parameters(self) -> int:
        """How many parameters its files hold, without loading them; 0 where nobody says it."""
        folder = Path(self.path)
        return parameters_in(folder) if folder.is_dir() else parameters_on_hub(self.path)

    @property
    def dtype(self) -> str:
        """What it computes in: `float32`, beyond a billion parameters `bfloat16`."""
        return dtype_for(self.parameters)

    @property
    def quantised_to(self) -> str | None:
        """What its weights were quantised to before they came here, such as `Q4_K_M`."""
        if source := source_of(Path(self.path)):
            return source.quantised_to
        quantised = getattr(self.config, "quantization_config", None) or {}
        known = quantised if isinstance(quantised, dict) else quantised.to_dict()
        return str(known["quant_method"]) if known.get("quant_method") else None

    @cached_property
    def limit(self) -> Limit:
        """The longest input, and what says so."""
        from .limits import limit_of

        with LOADING:
            return limit_of(self.config, self.tokenizer, self.path, self.main_capability)

    @property
    def max_length(self) -> int:
        """The longest input in tokens, special ones included."""
        return self.limit.tokens

    @property
    def readable(self) -> int:
        """The tokens that what is read may have; less than the limit where more follows."""
        return self.max_length

    @property
    def takes(self) -> str:
        """What follows "tokens that the model" in a sentence on its limit."""
        memory = self.limit.by == "memory"
        return "takes in the memory of this machine" if memory else "takes"

    @cached_property
    def decoder_positions(self) -> int | None:
        """How many tokens the decoder may have read and written; None where nothing limits it."""
        from .limits import written_limit

        return written_limit(self.config)

    @cached_property
    def mask_token_id(self) -> int | None:
        """The mask token's id; None of a decoder, whose tokenizer may name one never learned.

        One that was tuned with the operator `mask` has learned it, and its config says so.
        """
        kinds = {self.family, self.config.get_text_config().model_type}
        reads_again = bool(self.config.is_encoder_decoder)
        learned = mask_is_learned(self.capabilities, kinds, reads_again)
        learned = learned or getattr(self.config, LEARNED, False)
        return self.tokenizer.mask_token_id if learned else None

    @property
    def mask_token(self) -> str | None:
        """The mask token as it is written, None where none was learned."""
        return None if self.mask_token_id is None else str(self.tokenizer.mask_token)

    @cached_property
    def padding(self) -> int:
        """The id that fills up a batch, and that a decoder's classifier passes over."""
        return padding_of(self.config, self.tokenizer)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classifier's labels in the order of its outputs."""
        return tuple(str(self.config.id2label[i]) for i in range(self.config.num_labels))

    def tokenise(self, text: str, longest: int | None = None) -> Tokenised:
        """Return the tokens of `text` at character offsets, cut to `longest` and `max_length`."""
        length = min(self.max_length, longest or self.max_length)
        key = (text, length)
        if (found := self.read.find(key, size_of_tokens)) is None:
            with self.running():  # a fast tokenizer keeps its truncation settings as shared state
                found = tokenise(self.tokenizer, text, length)
            self.read.put(key, found, size_of_tokens)
        return found

    def require(self, capability: str) -> None:
        """Raise CapabilityError, naming what to use instead, where the model cannot do it."""
        if capability not in self.capabilities:
            raise CapabilityError(
                f"The model {self.name!r} ({self.family}) cannot {capability}: "
                + _ADVICE.get(capability, "choose another model.")
            )

    def network(self, capability: str) -> Any:
        """Return the network with the head that `capability` needs, loaded once while it is kept.

        Whoever holds it may go on with it when the cache drops it for another.
        """
        self.require(capability)
        if self.original is not None:
            return self.original.network(capability)
        return NETWORKS.get(
            (self, capability),
            lambda: _network(self, capability),
            lambda network: size_of_network(network) | _own_size(self),
            lambda: bytes_for(self.parameters),
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the lock around a pass; what the architecture raises on the way is named.

        Raises CapabilityError in the place of any other exception from within transformers or
        torch's gradients; what this project's own code raises stays as it is.
        """
        with naming(self.family), self.lock, self.around():
            yield

    @property
    def main_capability(self) -> str:
        """The capability whose network explains the model's answers; every model has one."""
        return next(name for name in _MAIN if name in self.capabilities)

    def main_network(self) -> Any:
        """Return the network whose attention explains the model's answers."""
        return self.network(self.main_capability)


def load_model(name: str | Path | Model = BUNDLED) -> Model:
    """Load a model once while it is kept: by name (`mini`, a run, the Hub), a folder or GGUF file.

    Weights come from safetensors or GGUF only and no code of the model's own is run. Raises
    ModelNotFoundError, or MissingDependencyError where it or its tokenizer needs a package.

    >>> load_model("mini").labels
    ('negative', 'positive')
    """
    if isinstance(name, Model):
        return name
    allowed(str(name))  # also of a model that is loaded already
    return NETWORKS.get(("model", str(name)), lambda: _load(str(name)), _own_size)


def _own_size(model: Model) -> dict[Any, int]:
    return {("tokenizer", id(model)): size_of_tokenizer(model.tokenizer)}


def size_of_tokens(found: Tokenised) -> int:
    """Return about how many bytes a text as tokens takes."""
    return _BYTES_PER_TOKEN * len(found.tokens) + 4 * len(found.text)


def held() -> list[dict[str, Any]]:
    """Return what of models is in memory, each with its bytes, the one used last at the end.

    >>> _ = load_model("mini").network("classify")
    >>> held()[-1]["model"], held()[-1]["what"]
    ('mini', 'classify')
    """
    found = []
    for key, size in NETWORKS.held():
        first, last = key
        model, what = (first.name, last) if isinstance(first, Model) else (last, first)
        found.append(
            {"model": model, "what": "tokenizer" if what == "model" else what, "bytes": size}
        )
    return found


def _load(name: str) -> Model:
    from .auto import AutoConfig, AutoTokenizer

    path = locate(name)
    if name in bundled():
        from ..checksums import verify

        verify(Path(path))
    config = _from_pretrained(AutoConfig, name, path)
    _tokenizer_is_there(name, Path(path))
    tokenizer, notice = as_saved(_from_pretrained(AutoTokenizer, name, path), path)
    if tokenizer.pad_token is None:  # as GPT-2 and Llama are published
        padding = padding_of(config, tokenizer)
        if padding in tokenizer.all_special_ids:
            tokenizer.pad_token = tokenizer.convert_ids_to_tokens(padding)
        else:  # every text ends with the only special token: batches take another, see padding_of
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.sep_token or tokenizer.unk_token
    return Model(name, path, config, tokenizer, _capabilities(config), notice)


_TOKENIZERS = ("*token*", "vocab*", "*.model", "*.spm")  # the files of any tokenizer


def _tokenizer_is_there(name: str, folder: Path) -> None:
    """Refuse a folder without a tokenizer: transformers makes one up that knows no word."""
    if folder.is_dir() and not any(any(folder.glob(pattern)) for pattern in _TOKENIZERS):
        raise ModelNotFoundError(
            f"The model {name!r} has no tokenizer: save that of the model in its folder too, with "
            "save_pretrained."
        )


_TELLING = (OSError, ValueError, KeyError, RuntimeError, TypeError)  # of the files of a model


def _from_pretrained(kind: Any, name: str, path: str, **options: Any) -> Any:
    try:
        with LOADING:
            return kind.from_pretrained(path, trust_remote_code=False, **options)
    except ImportError as error:
        raise _lacking(name, str(error)) from None
    except Exception as error:
        if not isinstance(error, _TELLING) and not from_architecture(error):
            raise
        if "custom code" in str(error):
            raise ModelNotFoundError(
                f"The model {name!r} needs code of its own, which maskviz never runs: choose "
                "another one."
            ) from None
        first = str(error).strip().split("\n")[0].replace(path, name)
        raise ModelNotFoundError(
            f"The model {name!r} cannot be loaded ({first[:160]}): check the name or folder, "
            "its files and your network, or use 'mini'."
        ) from None


def _lacking(name: str, said: str) -> MissingDependencyError:
    """Return the error that names the package which a tokenizer or a quantised model needs."""
    needed = next((x for x in ("sentencepiece", "tiktoken") if x in said), None)
    if needed is None and (named := re.search(r"pip install (?:-\S+ )*[\"']?([\w-]+)", said)):
        needed = named[1]
    return MissingDependencyError(
        f"The model {name!r} needs {needed or 'a package that is not installed'}: "
        f"run 'pip install {needed or 'sentencepiece'}' or choose another model."
    )


def _capabilities(config: Any) -> frozenset[str]:
    """Read from the architectures a checkpoint names which of its heads are trained."""
    return capabilities(config.architectures or (), config.model_type, has_text_part(config))


def has_text_part(config: Any) -> bool:
    """Tell whether a decoder of text is one part of a model that reads pictures or sound too."""
    return not config.is_encoder_decoder and config.get_text_config() is not config


def _head(model: Model, capability: str) -> Any:
    """Return the class of transformers that loads the network with a head."""
    from transformers.models.auto import modeling_auto as auto

    from .auto import HEADS

    known = model.family in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    if capability == "generate" and not known and has_text_part(model.config):
        return HEADS["picture"]
    return HEADS[capability]


def _network(model: Model, capability: str) -> Any:
    import torch

    fits(model.name, model.parameters, model.dtype)
    with quiet(), torch.inference_mode(False):  # whoever asks first, others take gradients
        head = partial(_from_pretrained, _head(model, capability), model.name, model.path)
        network = opened(partial(head, use_safetensors=True, dtype=torch_dtype(model.dtype)))
    padded_by(network, model.padding)
    network = settled(quickened(network.to(device()).eval()))
    return shared(network, [n for key, n in NETWORKS.values() if key[0] is model])


def padded_by(network: Any, padding: int) -> None:
    """Tell a network what its batches are padded with: a decoder's classifier reads before it."""
    for config in (network.config, network.config.get_text_config()):
        config.pad_token_id = padding


def own_padding(config: Any) -> int | None:
    """Return the id that the network itself pads with; None where it names none, or no token."""
    core = config.get_text_config()
    own, size = getattr(core, "pad_token_id", None), getattr(core, "vocab_size", None)
    return int(own) if own is not None and 0 <= own < (size or own + 1) else None


def padding_of(config: Any, tokenizer: Any) -> int:
    """Return the id that fills up a batch: the network's own, else one that ends no text.

    A decoder's classifier reads the last token that is not padding. Where a tokenizer ends each
    text with eos, padding with eos would have it read one token early.
    """
    if (own := own_padding(config)) is not None:
        return own
    size = getattr(config.get_text_config(), "vocab_size", None)
    last = tokenizer("a")["input_ids"][-1:]
    named = (getattr(tokenizer, f"{name}_token_id") for name in ("pad", "eos", "sep", "unk"))
    tried = (*named, *sorted(tokenizer.all_special_ids), 0, 1)
    known = (token for token in tried if token is not None and token < (size or token + 1))
    return int(next(token for token in known if token not in last))


def device() -> str:
    """Return `cuda` where there is a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
