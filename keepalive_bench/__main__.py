"""`kab`, and `python -m keepalive_bench`."""

from keepalive_bench.cli import main

if __name__ == "__main__":
    main()
