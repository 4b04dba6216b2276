"""A Hub on this machine for tests: the real huggingface_hub client talks to it over HTTP, and git is the oracle.

store.py    bare git repositories with LFS objects checked by sha256: what the Hub keeps
xet.py      the Xet storage mode, on hf_xet's own local store
server.py   the HTTP answers that huggingface_hub needs, over a store
faults.py   what may happen to a call, and the trace of all calls
__main__.py  serves it by hand: make hub
trial.py    one publisher against one fault, and what must hold afterwards
"""
