"""The RabbitMQ of the tests has what production relies on: quorum queues, confirms and redelivery."""

from __future__ import annotations

import uuid

from kombu import Connection, Queue


def test_an_unacknowledged_message_of_a_quorum_queue_comes_again(rabbitmq_url: str) -> None:
    queue = Queue(f"jobs-{uuid.uuid4().hex}", queue_arguments={"x-queue-type": "quorum"}, durable=True)

    with Connection(rabbitmq_url, transport_options={"confirm_publish": True}) as connection:
        with connection.channel() as channel:
            queue(channel).declare()
            connection.Producer(channel).publish({"job": 7}, routing_key=queue.name)
            first = queue(channel).get()
            assert first is not None
    with Connection(rabbitmq_url) as connection, connection.channel() as channel:
        second = queue(channel).get()
        assert second is not None
        second.ack()
        queue(channel).delete()

    assert (first.payload, second.payload, second.delivery_info["redelivered"]) == ({"job": 7}, {"job": 7}, True)
