"""Search with Elasticsearch's client."""

import sys

from elasticsearch import Elasticsearch

client = Elasticsearch(sys.argv[1])
for number in range(5):
    client.exists(index="items", id=str(number))  # here
