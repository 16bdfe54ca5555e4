"""The subcommands of newsquote, a module for each family: their arguments and what they run."""
