"""Loaded by each process of a run's own Dask cluster before it works.

A terminal sends ctrl-C to all processes of a command. The process that leads the run ends the others in order; left to
themselves they would die at once, with a traceback each.
"""

import signal
import threading

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
