"""Counterfactual pairs: does the answer change with an attribute alone?"""

__all__ = ["fairness", "finding", "gap", "swaps"]
