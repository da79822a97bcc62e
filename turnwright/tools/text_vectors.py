"""Texts as vectors, computed locally: TF-IDF over character and word n-grams.

Whoever has embeddings passes another `Vectoriser`; everything that compares tools takes one.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Vectors = Any
"""A matrix of numpy or scipy, dense or sparse, with a row for each text."""
Similarity = npt.NDArray[np.float64]
Vectoriser = Callable[[Sequence[str]], Vectors]
"""Texts to vectors of length 1 (or 0, where a text says nothing), one row each."""

_DIGITS = 4
"""Decimals of a similarity: what differs beyond them may differ from machine to machine."""


def vectorise_text(texts: Sequence[str]) -> Vectors:
    """TF-IDF vectors of character n-grams (3 to 5, within words) beside words and pairs of words, as a sparse matrix.

    Characters see that `retrieve` is close to `retrieval`, words that two texts are about the same thing; both halves
    weigh the same. Weights are relative to `texts`: what all of them share counts least.
    """
    # scikit-learn takes a second to import, and runs without specifications never need it.
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize  # pyright: ignore[reportUnknownVariableType]

    halves: list[Any] = []
    for vectoriser in (
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
        TfidfVectorizer(analyzer="word", ngram_range=(1, 2), token_pattern=r"[^\W_]+", sublinear_tf=True),
    ):
        # scikit-learn raises for texts without a single letter, which are as good as empty.
        analyse = cast("Callable[[str], list[str]]", vectoriser.build_analyzer())
        if any(analyse(text) for text in texts):
            halves.append(vectoriser.fit_transform(texts))
    if not halves:
        return np.zeros((len(texts), 1))
    return cast("Vectors", normalize(sparse.hstack(halves).tocsr()))


def compare_vectors(vectors: Vectors) -> Similarity:
    """Cosine of each vector with each, from 0 to 1, to four decimals."""
    products: Any = vectors @ vectors.T
    dense: Any = products.toarray() if hasattr(products, "toarray") else products
    return np.round(np.clip(np.asarray(dense, dtype=np.float64), 0.0, 1.0), _DIGITS)
