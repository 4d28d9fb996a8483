"""What is recorded: command lines by topic, run in their order in a home of their own.

`{name}` stands for a text, file or model of `TEXTS`, `FILES` and `MODELS`; `{out}` for a file
whose content belongs to the recording, `{run}` and `{sweep}` for what an earlier line named.
Every line gets `--json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.recorded_more import MORE, TALK

_MAIN = (
    "Anna Berg (41) didn't like this dull film. She told Paul in Paris, and Paul in Paris wrote "
    "to paul@example.org that the quick brown fox was truly dull."
)
TEXTS = {
    "text": _MAIN,
    "short": "Anna didn't like this truly dull film.",
    "story": "The film is dull. Anna of Paris loved every minute of it. He did not like the story.",
    "noisy": "Anna liekd the fillm zzxqj very much.",
    "long": " ".join(["The quick brown fox didn't like the lazy dog in Paris."] * 12),
}
# Name → (family, head, further settings of the configuration).
MODELS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("bert", "SequenceClassification", {"initializer_range": 0.5}),
    "bert-mlm": ("bert", "MaskedLM", {"initializer_range": 0.5}),
    "modernbert": ("modernbert", "SequenceClassification", {"initializer_range": 0.5}),
    "gpt2": ("gpt2", "SequenceClassification", {}),
    "gpt2-lm": ("gpt2", "CausalLM", {}),
    "llama-lm": ("llama", "CausalLM", {"initializer_range": 0.5}),
    "t5": ("t5", "SequenceClassification", {}),
    "t5-lm": ("t5", "Seq2SeqLM", {}),
    "bart-lm": ("bart", "Seq2SeqLM", {}),
    "regression": (
        "bert",
        "SequenceClassification",
        {"num_labels": 1, "problem_type": "regression", "initializer_range": 0.5},
    ),
    "multi": (
        "bert",
        "SequenceClassification",
        {
            "num_labels": 3,
            "problem_type": "multi_label_classification",
            "initializer_range": 0.5,
        },
    ),
}
_ROWS = (
    ("Anna loved this great and funny film.", 1, 2.5, "x"),
    ("He didn't like the dull, slow story.", 0, -1.0, "y"),
    ("She loved every warm minute of it in Paris.", 1, 1.5, "x"),
    ("A truly empty and slow picture.", 0, -2.0, "y"),
    ("The man told his wife that the film was great.", 1, 0.5, "x"),
    ("Paul of Paris wrote a dull story.", 0, -0.5, "y"),
    ("A funny, warm and great story.", 1, 2.0, "y"),
    ("The dog slept through this slow film.", 0, -1.5, "x"),
)
FILES = {
    "rows.csv": "text,label,value,who\n"
    + "".join(f'"{text}",{label},{value},{who}\n' for text, label, value, who in _ROWS),
    "pairs.csv": "text,other\nhe is a warm man,she is a warm woman\na dull boy,a dull girl\n",
    "people.csv": "text\nHe told his wife a dull story.\nNo people here.\nA funny American man.\n",
    "talk.json": TALK,
    "lines.txt": "Anna saw a dull film\n\nPaul loved the funny story in Paris\n",
    "marked.jsonl": '{"text": "a great film", "evidence": [[2, 7]]}\n'
    '{"text": "a truly dull and slow story", "evidence": [[2, 12], [17, 21]]}\n',
    "tasks.jsonl": "".join(
        f'{{"text": "{text}", "target": "{text.split()[-1]}"}}\n' for text, *_ in _ROWS
    ),
}
ALL_METHODS = (
    "occlusion,gradient-input,integrated-gradients,input-reduction,attention-mean,"
    "attention-rollout,attention-flow,attention-norm,attention-relevance,random,uniform"
)
ALL_OPERATORS = (
    "mask", "corrupt", "delete", "placeholder", "attention", "unk", "pad", "infill",
)  # fmt: skip
ALL_ATTENTION = ("raw", "mean", "rollout", "flow", "norm", "relevance", "uniform")
_TUNE = (
    "--data '{table}' --max-steps 4 --batch-size 4 --learning-rate 0.001 --device cpu "
    "--precision float32 --set eval_fraction=0.5 --set logging_steps=2"
)
_CELL = (
    "-m '{bert}' --data '{table}' --max-steps 2 --set device=cpu --set precision=float32 "
    "--set eval_fraction=0.25"
)

CASES: dict[str, tuple[str, ...]] = {
    **MORE,
    "strategies": (
        "mask '{text}'",
        "mask '{text}' -s random -r 0.3 --seed 7",
        "mask '{text}' -s random-token -r 0.3 -m mini",
        "mask '{text}' -s random-token -m '{t5-lm}' -o delete",
        "mask '{text}' -s span -r 0.4 --seed 1",
        "mask '{text}' -s sentence",
        "mask '{text}' -s sentence --indices 2",
        "mask '{text}' -s entity",
        "mask '{text}' -s entity --types GPE -r 0.1",
        "mask '{text}' -s pos --types NOUN,VERB",
        "mask '{text}' -s attribute",
        "mask '{text}' -s key -r 0.2",
        "mask '{text}' -s key --by lexicon",
        "mask '{text}' -s key --by keyness --data '{table}'",
        "mask '{text}' -s key --by tfidf --data '{table}'",
        "mask '{text}' -s pii",
        "mask '{text}' -s pii --types EMAIL_ADDRESS --threshold 0.6",
        "mask '{text}' -s redundant",
        "mask '{long}' -s redundant --threshold 0.9",
        "mask '{noisy}' -s noise -m mini",
        "mask '{noisy}' -s noise --surprisal 0",
        "mask '{text}' -s collocation -r 0.3",
        "mask '{text}' -s pattern --pattern 'P[a-z]+'",
        "mask '{text}' -s pattern --words dull,fox",
        "mask '{text}' -s manual --indices 1,3",
        "mask '{text}' -s '(entity:GPE | pattern:/dull/) - random:0.3'",
        "mask '{text}' -s '~pattern:/dull/'",
        "mask '{text}' -s span --complement",
        "mask '{text}' -s entity --second random:0.3 --second-seed 4 --join or",
        "mask '{text}' -s random -r 0.5 --second span:0.5 --join and",
        "mask '{text}' -s random -r 0.5 --second entity --join minus",
        "mask --mask '{mask.json}'",
        "mask --mask '{mask.json}' --complement",
        "mask - -s pattern --words dull",
        "mask --file '{lines.txt}' -s random -r 0.4 --seed 3",
        "mask --file '{lines.txt}' -s entity --second random:0.3",
    ),
    "operators": (
        *(
            f"mask '{{text}}' -r 0.3 -o {o}"
            for o in ("mask", "delete", "placeholder", "unk", "pad")
        ),
        *(f"mask '{{text}}' -s span -r 0.3 -m mini -o {o}" for o in ALL_OPERATORS),
        *(f"mask '{{text}}' -r 0.4 -m mini -o corrupt --unit {u}" for u in ("word", "span")),
        "mask '{short}' -r 0.4 -m '{bert-mlm}' -o infill",
        "mask '{short}' -r 0.4 -m '{gpt2}' -o mask",
        "mask '{short}' -r 0.4 -m '{gpt2}' -o attention",
        "mask '{short}' -r 0.4 -m '{t5-lm}' -o mask",
        "mask '{short}' -r 0.4 -m '{t5-lm}' -o infill",
        "mask '{short}' -r 0.4 -m '{llama-lm}' -o delete",
        "mask --file '{lines.txt}' -r 0.4 -m mini -o delete",
        "mask '{long}' -m '{bert}' -o placeholder",
    ),
    "fill": (
        "fill '{text}' -r 0.2",
        "fill '{text}' -s key -r 0.1 -k 2",
        "fill '{text}' --mask '{mask.json}' -k 1",
        "fill '{short}' -s entity -m '{bert-mlm}' -k 3",
        "fill '{short}' -r 0.4 -m '{t5-lm}' -k 3",
        "fill '{long}' -m '{bert-mlm}' -k 1",
        "fill '{short}' -m '{gpt2-lm}'",
        "fill '{short}' -m '{bert}'",
    ),
    "attend": (
        *(f"attend '{{short}}' --method {m} --out '{{out}}.npz'" for m in ALL_ATTENTION),
        "attend '{short}' -s pattern --words dull -o mask --out '{out}.npz'",
        "attend '{short}' -s pattern --words dull -o attention --out '{out}.npz'",
        "attend '{short}' --method flow --queries 3,4 --out '{out}.npz'",
        "attend '{short}' --pair '{noisy}' --out '{out}.json'",
        "attend '{long}' -m '{bert}'",
        "attend '{short}' -m '{gpt2-lm}' --out '{out}.npz'",
        "attend '{short}' -m '{gpt2}' --method norm --out '{out}.npz'",
        "attend '{short}' -m '{gpt2-lm}' --method relevance --out '{out}.npz'",
        "attend '{short}' -m '{llama-lm}' --method rollout --out '{out}.npz'",
        "attend '{short}' -m '{t5-lm}' --method mean --out '{out}.npz'",
        "attend '{short}' -m '{bart-lm}' --part encoder --out '{out}.npz'",
        "attend '{short}' -m '{bart-lm}' --part decoder --target 'dull story' --out '{out}.npz'",
        "attend '{short}' -m '{bart-lm}' --part cross --target 'dull story' --out '{out}.npz'",
        "attend '{short}' -m '{bart-lm}' --part cross --method rollout --out '{out}.npz'",
    ),
    "explain": (
        f"explain '{{short}}' --method {ALL_METHODS}",
        f"explain '{{short}}' -m '{{bert}}' --method {ALL_METHODS} --faithfulness --seed 2",
        "explain '{short}' --label negative",
        "explain '{short}' -m '{bert}' --faithfulness -o delete --draws 21",
        "explain '{long}' -m '{bert}' --long cut",
        "explain '{long}' -m '{bert}' --long windows",
        "explain '{short}' -m '{gpt2}' --method occlusion,gradient-input,attention-norm",
        "explain '{short}' -m '{t5}' --method occlusion,integrated-gradients",
        "explain '{short}' -m '{regression}' --method occlusion,input-reduction --faithfulness",
        "explain '{short}' -m '{multi}' --label LABEL_1",
        "explain --rationales '{marked.jsonl}' -m '{bert}' --method occlusion,uniform",
        "explain --rationales '{marked.jsonl}' --rows 1 --method gradient-input",
    ),
    "compare": (
        "compare '{short}'",
        "compare '{text}' -s random,span,entity -o mask,attention --beside '{bert}'",
        "compare '{short}' -s key -r 0.2 --sensitivity",
        "compare '{short}' -m '{bert}' -s pattern --words dull --sensitivity --draws 30 --seed 3",
        "compare '{short}' -m '{gpt2}' -s span -o delete,placeholder",
        "compare '{short}' -m '{t5}' -o unk",
        "compare '{short}' -m '{regression}' -s random,manual --indices 2",
        "compare '{short}' -m '{multi}' -s 'entity | pattern:/dull/'",
        "compare '{text}' --mask '{mask.json}' -o corrupt",
        "compare '{long}' -m '{bert}' --long cut",
        "compare '{long}' -m '{bert}' --long windows -s entity --types GPE",
    ),
    "compare-file": (
        "compare --file '{table}' --text-column text -s random,span --out '{out}.csv'",
        "compare --file '{table}' --text-column text --label-column label -m '{bert}' "
        "-s random,pattern --words dull,great --by who --beside '{modernbert}' --out '{out}.csv'",
        "compare --file '{table}' --text-column text --label-column label --label-map 0=1,1=- "
        "-s span --draws 1",
        "compare --file '{table}' --text-column text --label-column label -s key -r 0.2 --draws 2 "
        "--rows 4",
        "compare --file '{table}' --text-column text -m '{bert}' -o delete -s 'entity | span:0.2'",
        "compare --file '{table}' --text-column text --label-column value -m '{regression}' "
        "-s random,entity --out '{out}.csv'",
        "compare --file '{table}' --text-column text -m '{multi}' -s span --long windows",
        "compare --file '{people.csv}' --text-column text --swap gender -s attribute "
        "-o placeholder",
        "compare --file '{people.csv}' --text-column text --swap all -m '{bert}' -s random,entity "
        "--label LABEL_1 --rows 2",
        "compare --file '{pairs.csv}' --text-column text --pair-column other -m '{bert}'",
    ),
    "groups": (
        "compare --file '{table}' --text-column text --label-column label -m '{bert}' -s random "
        "--draws 0 --group-columns who --beside '{bert}'",
    ),
    "shortcuts": (
        "shortcuts --file '{table}' --text-column text --label-column label -m '{bert}'",
    ),
    "audit": (
        "audit '{text}'",
        "audit '{text}' -s random,entity,span -m mini -r 0.3 --seed 1",
        "audit --file '{table}' -s span,random-token -m mini -o corrupt --unit word",
        "audit '{text}' -s random --second entity --join minus --complement",
    ),
    "write": (
        "translate '{short}'",
        "translate '{story}' --beams 1 --max-tokens 6",
        "translate '{short}' -m '{bart-lm}' --max-tokens 5 --beams 2",
        "translate '{short}' -m '{t5-lm}' --prefix 'translate: ' --max-tokens 5 --whole",
        "summarise '{story}'",
        "summarise '{story}' -n 2",
        "summarise '{story}' -m '{bert}'",
        "summarise '{story}' -m '{bart-lm}' --max-tokens 5",
    ),
    "train": (
        "runs list",
        f"train {_TUNE} -m '{{bert}}' -s random -r 0.2 --name classified",
        "runs list",
        "runs show '{run}'",
        "models info '{run}'",
        "models list",
        "compare '{short}' -m '{run}' -s random",
        "report '{run}' --out '{folder}/report.html'",
        "runs export '{run}' '{folder}/exported'",
        "runs script '{run}' '{folder}/script'",
        "runs cancel '{run}'",
        "runs resume '{run}'",
        "runs push '{run}' not-a-repository",
        "runs delete '{run}'",
        f"train {_TUNE} -m '{{bert}}' -s none --set label_smoothing_factor=0.1",
        f"train {_TUNE} -m '{{bert}}' -s entity --types PERSON,GPE --second random:0.3 "
        "--join minus --static -o delete",
        f"train {_TUNE} -m '{{bert-mlm}}' --task mlm -s random -r 0.3",
        f"train {_TUNE} -m '{{regression}}' --label-column value --problem-type regression -s span",
        f"train {_TUNE} -m '{{gpt2}}' -s random -o delete",
        f"train {_TUNE} -m '{{gpt2}}' -s random -o mask",
        "train --data '{tasks.jsonl}' --target-column target -m '{t5-lm}' --task seq2seq "
        "--max-steps 2 --batch-size 4 --device cpu --precision float32 -s random "
        "-o delete --set eval_fraction=0.25",
    ),
    "sweep": (
        "sweep --list",
        "sweep -s random,attribute -r 0.1,0.3 -o mask,delete --seeds 2 --plan -m '{bert}' "
        "--data '{table}'",
        f"train {_CELL} -s none --seed 0",
        f"train {_CELL} -s random -r 0.2 --seed 0",
        f"sweep {_CELL} -s random -r 0.2 --seeds 1",  # both cells are trained already: not twice
        "sweep '{sweep}' --measure loss",
        "sweep --list",
        "report '{sweep}' --measure loss --out '{folder}/report.html'",
        "sweep '{sweep}' --cancel",
    ),
    "bench": (
        "bench interference -m '{bert-mlm}' --rows 200 --steps 1 --seeds 2 --arms plain,attribute "
        "--processes 1",
        "bench interference -m '{bert}' --kind age --strength 0.4",
        "bench interference --arms random",
        "bench pretraining -m '{bert-mlm}' --steps 1 --tune-steps 1 --rows 40 --seeds 1",
        "bench pretraining --seeds 0",
        "bench distraction -m '{chat}' --tests 6 --seeds 2 --arms base --processes 1",
    ),
    "errors": (
        "nonsense",
        "bench distraction --arms oracle",
        "mask ''",
        "mask '{text}' --seed -1",
        "mask '{text}' -r 1.5",
        "mask '{text}' -s rndom",
        "mask '{text}' -o blur",
        "mask '{text}' -o infill",
        "mask '{text}' -o corrupt -m mini --unit page",
        "mask '{text}' -s 'entity |'",
        "mask '{text}' -s '~pattern:/t/' --types PERSON",
        "mask '{text}' -s random --types PERSON",
        "mask '{text}' -s entity --types SHOE",
        "mask '{text}' -s attribute --types shoe",
        "mask '{text}' -s pii --threshold 2",
        "mask '{text}' -s pattern --pattern '('",
        "mask '{text}' -s pattern",
        "mask '{text}' -s manual --indices x",
        "mask '{text}' -s manual --indices 99",
        "mask '{text}' -s sentence --indices 9",
        "mask '{text}' -s key --by magic",
        "mask '{text}' --second random --join xor",
        "mask '{text}' -s entity --pipeline no_such",
        "mask '{text}' --mask '{folder}/none.json'",
        "mask '{short}' --mask '{mask.json}'",
        "mask '{text}' --mask '{table}'",
        "mask '{text}' --file '{table}'",
        "mask --file '{folder}/none.txt'",
        "fill '{text}' -k 0",
        "fill '{text}' -m no-such/model",
        "fill '{text}' -m '{folder}'",
        "attend ' '",
        "attend '{short}' --method flw",
        "attend '{short}' --part cross",
        "attend '{short}' -m '{t5-lm}' --part middle",
        "attend '{short}' --method flow --queries 0",
        "attend '{short}' --method flow --queries 99",
        "attend '{short}' --head 2 --out '{out}.html'",
        "attend '{short}' --head 9.9 --out '{out}.html'",
        "attend '{short}' --out '{out}.docx'",
        "explain '{short}' --method guess",
        "explain '{short}' --method ,",
        "explain '{short}' --label neutral",
        "explain '{short}' --long fold",
        "explain '{short}' --faithfulness --draws 3",
        "explain '{short}' --faithfulness -o blur",
        "explain '{short}' -m '{bert-mlm}'",
        "explain '{short}' -m '{gpt2-lm}' --question labels",
        "explain --rationales '{folder}/none.jsonl'",
        "explain --rationales '{marked.jsonl}' --rows 0",
        "compare '{short}' --draws 5",
        "compare '{short}' -o hide",
        "compare '{short}' -s ''",
        "compare '{short}' --by who",
        "compare '{short}' -m '{t5-lm}'",
        "compare '{short}' -m '{bert}' -o infill",
        "compare --file '{table}'",
        "shortcuts --file '{table}'",
        "bench interference --plant name",
        "bench interference --data '{table}' --plant name",
        "bench interference --data '{table}' --text-column text --label-column label --plant word:",
        "shortcuts --file '{table}' --text-column text --rows 0",
        "shortcuts --file '{table}' --text-column text --pattern '('",
        "compare --file '{table}' --text-column nowhere",
        "compare --file '{table}' --text-column text --label-column nowhere",
        "compare --file '{table}' --text-column text --label-column label --label-map 0=joy",
        "compare --file '{table}' --text-column text --label-map 0=1",
        "compare --file '{table}' --text-column text --by nowhere",
        "compare --file '{table}' --text-column text --rows 0",
        "compare --file '{table}' --text-column text --words dull",
        "compare --file '{table}' --text-column text --swap shoes",
        "compare --file '{table}' --text-column text --swap gender --pair-column who",
        "compare --file '{table}' --text-column text --swap gender --label neutral",
        "compare --file '{folder}/none.csv' --text-column text",
        "audit '{text}' -s rndom",
        "audit --file '{folder}/none.txt'",
        "translate '{short}' -m mini",
        "translate '{short}' --beams 0",
        "summarise '{story}' -n 0",
        "summarise ''",
        "train -s rndom",
        "train -r 1.5",
        "train --data '{folder}/none.csv'",
        "train --set weight_decay",
        "train --set wieght_decay=1",
        "train -s random --types PERSON",
        "train '{folder}/none.toml'",
        "train --data '{table}' --task dancing",
        "train --data '{table}' -m '{t5-lm}' --task mlm",
        "train --data '{table}' --num-gpus 1",
        "sweep",
        "sweep -s rndom --plan",
        "sweep -s random -r x --plan",
        "sweep no-such-sweep",
        "sweep -s random --measure joy",
        "sweep -s random --engine moon",
        "sweep -s random --engine foreground",
        "runs show nobody-1",
        "runs logs nobody-1",
        "runs delete nobody-1",
        "models info no-such/model",
        "report '{short}' --out '{folder}'",
        "report '{short}' -o blur --out '{folder}/report.html'",
    ),
}
# Not recorded, and why.
LEFT_OUT = {
    "app": "serves until it is stopped",
    "runs worker": "waits for runs until it is stopped",
}
