"""The test suite; a package, so that tests share oracles and cases by name."""
