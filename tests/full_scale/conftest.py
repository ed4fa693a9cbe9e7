"""What the tests of this room share."""

import jax
import pytest


@pytest.fixture(scope="module")
def programs_kept(tmp_path_factory: pytest.TempPathFactory):
    """Programs compiled once for this process and the workers that it starts, as `sptlab` keeps them."""
    settings = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("programs")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
