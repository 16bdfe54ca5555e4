from __future__ import annotations

import os

from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"

# Examples are drawn from the test's own name: a failure on one machine is a failure on all of them.
settings.register_profile("newsquote", derandomize=True, deadline=None, max_examples=60, print_blob=False)
settings.load_profile("newsquote")
