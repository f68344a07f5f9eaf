"""What Schemathesis posts as an image: whole ones, damaged ones, and arbitrary bytes. Loaded by its process."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

from tests.images import VARIANTS, draw_number
from tests.robustness.mutations import mutant

_WHOLE = [make(draw_number("35", 20)) for make in VARIANTS.values()]
_images = st.sampled_from(_WHOLE) | st.integers(0, 10_000).map(lambda index: mutant(index)[1]) | st.binary(max_size=99)

schemathesis.openapi.media_type("application/octet-stream", _images)
