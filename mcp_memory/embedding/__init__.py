"""Text to unit vectors. `service.EmbeddingService` is what the rest of the program uses; the embedders below it are ports."""
