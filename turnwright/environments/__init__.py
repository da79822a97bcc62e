"""What answers a tool call: one isolated state per dialogue, a sandbox around hostile SQL, faults made by code."""
