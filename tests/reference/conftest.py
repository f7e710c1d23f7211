"""The counting scripts need torch and the real modules; they are run by hand, not collected."""

collect_ignore_glob = ["count_*.py"]
