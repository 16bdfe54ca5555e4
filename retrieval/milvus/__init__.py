"""The same index on a Milvus server, read and published; the only package that imports pymilvus."""
