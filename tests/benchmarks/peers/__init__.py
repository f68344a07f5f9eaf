"""The same network and imaging behind other servers. They run in an environment of their own, without the service's."""
