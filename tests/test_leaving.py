"""Visits that are over: what the server keeps of them goes."""

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig, SessionClient
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from mae_viz import computing
from mae_viz.app.server import leaving

SCRIPT = """
from mae_viz.app.server import leaving
leaving.note()
"""
TTL_S = 120  # Streamlit's own, which nothing here changes


class Page(SessionClient):
    """What a session talks to."""

    def __init__(self):
        self.done = asyncio.Event()

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        if msg.WhichOneof("type") == "script_finished":
            self.done.set()


async def visits(server: Runtime) -> None:
    await server.start()
    pages = [Page() for _ in range(3)]
    sessions = [server.connect_session(page, {}) for page in pages]
    for page, session in zip(pages, sessions, strict=True):
        server.handle_backmsg(session, BackMsg(rerun_script=ClientState()))
        await page.done.wait()
        server.uploaded_file_mgr.add_file(session, UploadedFileRec("1", "mine.png", "image/png", b"mine"))

    def kept(seconds: float) -> list[bool]:
        """Whose upload is there after so long."""
        leaving.look(time.monotonic() + seconds)
        return [bool(server.uploaded_file_mgr.get_files(session, ["1"])) for session in sessions]

    assert kept(TTL_S) == [True, True, True]
    for session in sessions[:2]:
        server.disconnect_session(session)
    assert kept(TTL_S + TTL_S / 2) == [True, True, True]
    assert server.connect_session(Page(), {}, existing_session_id=sessions[0]) == sessions[0]
    assert kept(2 * TTL_S) == [True, False, True]
    assert set(leaving._seen) == {sessions[0], sessions[2]}
    for session in (sessions[0], sessions[2]):
        server.disconnect_session(session)
    assert kept(3 * TTL_S) == [False, False, False]
    server.stop()
    await server.stopped


def test_uploads_of_who_has_left_go(tmp_path, monkeypatch):
    """For a while they are kept, so that a broken connection finds its session again; who is there keeps theirs."""
    monkeypatch.setattr(Runtime, "_instance", None)
    monkeypatch.setattr(leaving, "_seen", {})
    (tmp_path / "script.py").write_text(SCRIPT)
    uploads, media = MemoryUploadedFileManager("/upload"), MemoryMediaFileStorage("/media")
    server = Runtime(
        RuntimeConfig(str(tmp_path / "script.py"), media_file_storage=media, uploaded_file_manager=uploads)
    )
    assert runtime.get_instance() is server
    rested = threading.Event()
    monkeypatch.setattr(computing, "_at_rest", [rested.set])
    with ThreadPoolExecutor(1) as elsewhere:  # where no browser's loop runs
        elsewhere.submit(asyncio.run, visits(server)).result(120)
    assert rested.wait(60)  # for nobody is left
    gc.collect()  # what Streamlit leaves open complains here, and not in another test
