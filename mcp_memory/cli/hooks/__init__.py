"""Where the hook command was before: settings written by an earlier `install --hooks` name `client`, and no upgrade rewrites them."""
