"""The same index on a Milvus server: reading and publishing; the only part of the project that loads pymilvus."""
