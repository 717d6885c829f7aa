// Package backends: what a find command's sort and limit are, for a backend that can make use of them.
package backends

import (
	"context"

	"github.com/FerretDB/FerretDB/internal/types"
)

// Order is a find command's sort and limit.
type Order struct {
	Sort  *types.Document
	Limit int64
}

type orderKey struct{}

// WithOrder hands a command's order to its query. It may be used only where the whole filter is handed over too.
func WithOrder(ctx context.Context, order Order) context.Context {
	return context.WithValue(ctx, orderKey{}, order)
}

// OrderOf returns the order that a query may apply; false when it has to return all that match.
func OrderOf(ctx context.Context) (Order, bool) {
	order, ok := ctx.Value(orderKey{}).(Order)
	return order, ok
}
