"""What a wheel has beside the package, in ``mae_viz/share``, and which weights a wheel and an sdist have.

`mae_viz.storage.shipped` finds these files again. An editable install has none of it: there they lie in the checkout.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARED = (
    "app.py",
    ".streamlit/config.toml",
    "docs/fig1.svg",
    "notebooks/*.ipynb",
    "notebooks/*.json",
    "checkpoints/**/*",
)


class Hook(BuildHookInterface):
    """Settings in pyproject.toml: ``weights``, the models whose weights come along."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if self.target_name == "sdist":
            for name in self.config["weights"]:
                path = f"checkpoints/{name}/model.safetensors"
                build_data["force_include"][str(root / path)] = path
        elif version != "editable":
            for path in sorted(path for pattern in SHARED for path in root.glob(pattern)):
                if path.is_file() and (path.suffix != ".safetensors" or path.parent.name in self.config["weights"]):
                    place = path.relative_to(root).as_posix()
                    build_data["force_include"][str(path)] = f"mae_viz/share/{place}"
