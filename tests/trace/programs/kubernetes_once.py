"""Ask a Kubernetes cluster for its pods."""

import sys

from kubernetes import client

api = client.CoreV1Api(client.ApiClient(client.Configuration(host=sys.argv[1])))
for number in range(4):
    api.list_namespaced_pod(f"space-{number}")  # here
