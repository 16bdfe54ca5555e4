"""What lives as long as the process: answering, reloading, editing the library, state.db."""
