"""What can go wrong with the engine that shards run on, so far as a person can mend it."""


class RunnerNotAvailable(RuntimeError):
    """The config asks for an engine that is not installed, or that cannot be reached."""


class ShardRunFailed(RuntimeError):
    """The flow run of a shard did not complete; the message has its last words and how to go on."""
