"""What driftwatch costs, beside the store's own floor and beside its peers, from one run."""
