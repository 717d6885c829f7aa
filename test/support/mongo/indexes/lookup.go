// Package sqlite: queries by indexed fields, which are scalars, become conditions that SQLite's indexes serve.
package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/backends/sqlite/metadata"
	"github.com/FerretDB/FerretDB/internal/handler/sjson"
	"github.com/FerretDB/FerretDB/internal/types"
)

// SQLite nests OR to a depth of 1000, and takes 32766 parameters.
const (
	maxBranches = 400
	maxValues   = 20000
)

var comparisons = map[string]string{"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}

// lookup builds the condition of one statement.
type lookup struct {
	fields []string
	args   []any
	// exact is true while every document that the condition lets through matches the whole filter.
	exact bool
}

// lookupClauses returns what follows the table's name in a SELECT, and its parameters. A part of the filter that
// no index serves is left to the caller; then there is neither order nor limit.
func lookupClauses(ctx context.Context, meta *metadata.Collection, params *backends.QueryParams) (string, []any) {
	l := &lookup{fields: indexedFields(meta), exact: true}
	clauses := ""
	if condition := l.filter(params.Filter); condition != "" {
		clauses = " WHERE " + condition
	}
	if order, ok := backends.OrderOf(ctx); ok && l.exact {
		clauses += l.order(order)
	}
	return clauses, l.args
}

func indexedFields(meta *metadata.Collection) []string {
	fields := []string{"_id"}
	for _, index := range meta.Settings.Indexes {
		for _, key := range index.Key {
			fields = append(fields, key.Field)
		}
	}
	return fields
}

func (l *lookup) filter(filter *types.Document) string {
	var all []string
	if filter == nil {
		return ""
	}
	for _, name := range filter.Keys() {
		value, _ := filter.Get(name)
		condition := ""
		switch {
		case name == "$or":
			condition = l.or(value)
		case slices.Contains(l.fields, name):
			condition = l.field(name, value)
		}
		if condition == "" {
			l.exact = false
		} else {
			all = append(all, condition)
		}
	}
	return strings.Join(all, " AND ")
}

func (l *lookup) or(value any) string {
	branches, ok := value.(*types.Array)
	if !ok || branches.Len() > maxBranches {
		return ""
	}
	before := len(l.args)
	alternatives := make([]string, branches.Len())
	for i := range alternatives {
		value, _ := branches.Get(i)
		branch, ok := value.(*types.Document)
		if ok {
			alternatives[i] = l.filter(branch)
		}
		if alternatives[i] == "" {
			l.args = l.args[:before]
			return ""
		}
	}
	return "((" + strings.Join(alternatives, ") OR (") + "))"
}

func (l *lookup) field(name string, value any) string {
	conditions, ok := value.(*types.Document)
	if !ok {
		return l.operator(name, "$eq", value)
	}
	var all []string
	for _, operator := range conditions.Keys() {
		value, _ := conditions.Get(operator)
		if condition := l.operator(name, operator, value); condition != "" {
			all = append(all, condition)
		} else {
			l.exact = false
		}
	}
	return strings.Join(all, " AND ")
}

func (l *lookup) operator(name, operator string, value any) string {
	switch operator {
	case "$eq":
		return l.oneOf(name, []any{value})
	case "$in":
		if list, ok := value.(*types.Array); ok && list.Len() > 0 && len(l.args)+list.Len() < maxValues {
			values := make([]any, list.Len())
			for i := range values {
				values[i], _ = list.Get(i)
			}
			return l.oneOf(name, values)
		}
	case "$gt", "$gte", "$lt", "$lte":
		kinds := "'integer','real'"
		if _, ok := value.(string); ok {
			kinds = "'text'"
		} else if !isNumber(value) {
			return ""
		}
		l.args = append(l.args, value)
		column := plainColumn(name)
		return fmt.Sprintf("%s %s ? AND typeof(%s) IN (%s)", column, comparisons[operator], column, kinds)
	}
	return ""
}

// oneOf compares strings as JSON text, which is what FerretDB's own indexes hold.
func (l *lookup) oneOf(name string, values []any) string {
	before := len(l.args)
	strings_, numbers := 0, 0
	for _, value := range values {
		if text, ok := value.(string); ok {
			json, err := sjson.MarshalSingleValue(text)
			if err != nil {
				break
			}
			l.args = append(l.args, string(json))
			strings_++
		} else if isNumber(value) {
			l.args = append(l.args, value)
			numbers++
		}
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
	switch len(values) {
	case strings_:
		return fmt.Sprintf("%s IN (%s)", jsonColumn(name), marks)
	case numbers:
		column := plainColumn(name)
		return fmt.Sprintf("%s IN (%s) AND typeof(%s) IN ('integer','real')", column, marks, column)
	}
	l.args = l.args[:before]
	return ""
}

func (l *lookup) order(order backends.Order) string {
	var columns []string
	for _, name := range order.Sort.Keys() {
		if !slices.Contains(l.fields, name) {
			return ""
		}
		direction, _ := order.Sort.Get(name)
		columns = append(columns, plainColumn(name)+map[bool]string{true: " DESC"}[fmt.Sprint(direction) == "-1"])
	}
	clauses := ""
	if len(columns) > 0 {
		clauses = " ORDER BY " + strings.Join(columns, ", ")
	}
	if order.Limit > 0 {
		clauses += " LIMIT ?"
		l.args = append(l.args, order.Limit)
	}
	return clauses
}

func isNumber(value any) bool {
	switch value.(type) {
	case int32, int64, float64:
		return true
	}
	return false
}

// jsonColumn is the expression that FerretDB's own indexes are on.
func jsonColumn(name string) string {
	return column(name, "->")
}

// plainColumn is the value itself: numbers compare as numbers, null and a missing field are NULL.
func plainColumn(name string) string {
	return column(name, "->>")
}

func column(name, last string) string {
	segments := strings.Split(name, ".")
	expression := metadata.DefaultColumn
	for i, segment := range segments {
		operator := "->"
		if i == len(segments)-1 {
			operator = last
		}
		expression += fmt.Sprintf("%s%q", operator, segment)
	}
	return expression
}
