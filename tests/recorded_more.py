"""More of what is recorded, as `recorded_cases` has it: conversations, heads, the house itself."""

from __future__ import annotations

TALK = (
    '{"messages": [{"role": "system", "content": "Be kind. Be short."}, '
    '{"role": "user", "content": "She loved every minute of this film. Who is Anna?"}, '
    '{"role": "assistant", "content": "Anna of Paris"}]}'
)
MORE: dict[str, tuple[str, ...]] = {
    "house": (
        "models list",
        "models info mini",
        "models info mini-translate",
        "models info '{bert}'",
        "models info '{gpt2-lm}'",
        "models info '{bart-lm}'",
        "models pull mini",
        "doctor",
        "report '{short}' --out '{folder}/report.html'",
        "report '{text}' -s entity -m '{bert}' -o delete --out '{folder}/report.html'",
        "report --mask '{mask.json}' --out '{folder}/report.html'",
    ),
    "conversations": (
        "mask --conversation '{talk.json}' -s role",
        "mask --conversation '{talk.json}' -s turn --indices 2 -m '{chat}' -o delete",
        "compare --conversation '{talk.json}' -m '{chat}' -s pattern --words kind,loved",
        "compare --conversation '{talk.json}' -m '{chat}' -s role --choice Anna --choice Paris",
        "compare --conversation '{talk.json}' -m '{chat}' -s sentence --indices 3 --next",
        "explain --conversation '{talk.json}' -m '{chat}'",
        "attend --conversation '{talk.json}' -m '{chat}' --method mean",
        "attend --conversation '{talk.json}' -m '{chat}' -s pattern --words Anna",
        "chat '{talk.json}' -m '{chat}'",
        "chat '{talk.json}' -m '{chat}' -s pattern --words loved --answer '' --longest 4",
        "chat '{talk.json}' -m '{llama-lm}'",
        "chat '{rows.csv}x' -m '{chat}'",
        "compare --conversation '{marked.jsonl}' -m '{chat}' -s role",
        "mask --conversation '{lines.txt}' -s role --types user",
        "compare 'text' --conversation '{talk.json}' -m '{chat}'",
        "report --conversation '{talk.json}' -m '{chat}' -s role --out '{folder}/talk.html'",
    ),
    "heads": (
        "compare '{short}' --heads 2.3,4.1 --unit-operator zero",
        "compare '{short}' --heads 2.3 --unit-operator from -s pattern --words dull",
        "compare '{short}' --heads 2.3 --unit-operator from-plain -s pattern --words dull",
        "compare '{short}' --heads 2.3 --unit-operator zero -s pattern --words dull",
        "compare '{short}' -m '{bert}' --heads 1.1 --mean-over '{table}' --draws 20",
        "compare '{short}' -m '{llama-lm}' --heads 1.2 --unit-operator zero-but-bias --next",
        "compare '{short}' -m '{bart-lm}' --heads cross:1.2 --unit-operator zero "
        "--answer 'dull story'",
        "compare --file '{table}' --text-column text -s random --heads 2.3 --unit-operator zero",
        "heads '{short}'",
        "heads '{short}' -m '{bert}' --unit-operator from -s pattern --words dull "
        "--out '{out}.csv'",
        "heads --file '{table}' --text-column text --unit-operator zero",
        "heads '{short}' -m '{llama-lm}' --unit-operator zero --target ' the'",
        "heads '{short}' --kind mlp",
        "compare '{short}' --units 3 --unit-operator zero",
        "prune --heads 2.3 --out '{out}' --file '{table}' --text-column text",
        "knockout '{short}' --to pattern:/dull/",
        "knockout '{text}' -m '{llama-lm}' --to pattern:/Paris/ --window 1 --draws 20 --next",
        "lens '{short}'",
        "lens '{short}' -m '{llama-lm}' --next -s pattern --words dull",
        "lens '{short}' -m '{bart-lm}' --answer 'dull story'",
    ),
}
