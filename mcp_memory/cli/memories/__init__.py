"""Other memories, converted: what they hold are notes, so each becomes an episode that is no attempt and says where it came from."""
