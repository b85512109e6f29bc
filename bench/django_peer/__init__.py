"""A site with nothing but django-ca, run by the environment of the peers."""
