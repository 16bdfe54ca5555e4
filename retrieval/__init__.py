"""From a question to an answer. Importing this loads neither torch nor onnxruntime."""
