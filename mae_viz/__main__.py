"""`python -m mae_viz` is `mae-viz`."""

from mae_viz.cli import main

main()
