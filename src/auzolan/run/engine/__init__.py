"""What answers: llama.cpp in a sandboxed child, or any OpenAI-compatible server by its address.

parameters      what a client may ask, read strictly and written anew (`field_values`, `tool_fields`)
turns           whose turn it is: one set of adapters at a time
upstream        where requests go, and what each needs for its adapters; the kinds of servers as data
backend         a server that somebody else runs: its kind, and what it claims
supervise       the child: started, checked, started again after a crash
child           what runs inside the sandbox
sandbox         what the child sees (`engine_files`, `socket_folder`, `error_log`)
"""
