"""Two samples of dialogues, compared: what they have in common, where they differ, and how sure that is (TC)."""
