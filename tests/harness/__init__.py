"""What tests share: cases, oracles, judges, small networks, ways to run commands and kernels."""
