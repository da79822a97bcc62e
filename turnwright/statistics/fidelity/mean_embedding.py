"""Maximum mean discrepancy between two samples of vectors (Gretton et al., 2012), in time linear in their number."""

import numpy as np

from turnwright.statistics.fidelity.measures import Floats, Measure
from turnwright.statistics.fidelity.resampling import make_generator

_WAVES = 128
_PAIRS = 4000


class EmbeddingMeasure(Measure):
    """Squared MMD of a Gaussian kernel through random Fourier features (Rahimi and Recht, 2007).

    The bandwidth is the median distance of random pairs of all vectors, whichever sample they are of.
    """

    test = "maximum mean discrepancy"
    has_figure = False
    margin = 0.01

    def __init__(self, name: str, vectors: Floats, seed: int) -> None:
        generator = make_generator(seed, "embedding")
        pairs = generator.integers(0, len(vectors), (2, _PAIRS))
        distances = np.sqrt(((vectors[pairs[0]] - vectors[pairs[1]]) ** 2).sum(axis=1))
        apart = distances[distances > 0]
        width = float(np.median(apart)) if len(apart) else 1.0
        angles = vectors @ generator.normal(0.0, 1.0 / width, (vectors.shape[1], _WAVES))
        waves = np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(_WAVES)
        super().__init__(name, np.column_stack([waves, np.ones(len(vectors))]))

    def count(self, sums: Floats) -> Floats:
        """Dialogues."""
        return sums[:, -1]

    def distance(self, first: Floats, second: Floats) -> Floats:
        """The squared distance of the two mean embeddings."""
        one, other = (side[:, :-1] / np.maximum(side[:, -1:], 1.0) for side in (first, second))
        return ((one - other) ** 2).sum(axis=1)
