"""Run the quick start: ``python -m sk_mlp``."""

from sk_mlp._quickstart import main

if __name__ == "__main__":
    main()
