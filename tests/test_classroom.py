"""Several people in the app at once: nobody's λ or photograph reaches another's page."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "classroom.py"


def test_six_sessions_at_once_each_get_their_own_pictures(server):
    """The benchmark's students compare every answer with files coded for their own λ and photograph."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "6", "0", server], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "6 students" in done.stdout
    assert "every answer was the asker's own" in done.stdout
