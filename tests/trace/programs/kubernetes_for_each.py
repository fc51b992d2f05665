"""Ask a Kubernetes cluster for its pods, each time with a client of its own."""

import sys

from kubernetes import client


def pods(namespace):
    configuration = client.Configuration(host=sys.argv[1])
    api = client.CoreV1Api(client.ApiClient(configuration))
    return api.list_namespaced_pod(namespace)  # here


for number in range(4):
    pods(f"space-{number}")
