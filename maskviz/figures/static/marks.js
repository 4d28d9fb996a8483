// Marks of direction by name, as in maskviz/text/marks.py: none rearranges what stands around it.
const MARKS = { "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
  "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
  "\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM" }
const withMarks = text => text.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, mark => `‹${MARKS[mark]}›`)
