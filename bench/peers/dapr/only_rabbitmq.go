package components

import (
	"github.com/dapr/components-contrib/pubsub/rabbitmq"
	"github.com/dapr/dapr/pkg/components/pubsub"
)

// Takes the place of zz_notag.go, which panics in a daprd without its build tags for a hundred other components.
func init() {
	pubsub.DefaultRegistry.RegisterComponent(rabbitmq.NewRabbitMQ, "rabbitmq")
}
