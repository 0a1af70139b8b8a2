package abi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// bytesKey is the key that stands for a buffer, as JSON.
const bytesKey = `"$bytes"`

// CheckBuffers makes sure that a JSON text refers to each of n buffers exactly
// once and to no other, so that whoever decodes it need not. The text must be
// valid JSON.
func CheckBuffers(text []byte, n int) error {
	if n == 0 && !bytes.Contains(text, []byte(bytesKey)) && !bytes.Contains(text, []byte(`\u00`)) {
		return nil // by far the most
	}
	used := make([]bool, n)
	before := byte(0) // the character before the string, but for white space
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '"' {
			if !isSpace(c) {
				before = c
			}
			continue
		}
		start := i
		for i++; text[i] != '"'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		value, isKey := bytes.CutPrefix(trimSpace(text[i+1:]), []byte(":"))
		if isKey && isBytesKey(text[start:i+1]) {
			k, ok := bufferIndex(value)
			if before != '{' || !ok || k >= uint64(n) || used[k] {
				return fmt.Errorf("%w: frame with %d buffers has a bad reference %.30q", ErrABI, n, text[start:])
			}
			used[k] = true
		}
		before = '"'
	}
	if k := slices.Index(used, false); k >= 0 {
		return fmt.Errorf("%w: frame does not refer to its buffer %d", ErrABI, k)
	}
	return nil
}

// bufferIndex reads the rest of an object of which only a number is left.
func bufferIndex(rest []byte) (uint64, bool) {
	rest = trimSpace(rest)
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	k, err := strconv.ParseUint(string(rest[:min(digits, 20)]), 10, 64)
	return k, err == nil && bytes.HasPrefix(trimSpace(rest[digits:]), []byte("}"))
}

// isBytesKey reports whether a string of a JSON text is the reserved key. Every
// character of it may have been written as an escape.
func isBytesKey(quoted []byte) bool {
	if bytes.IndexByte(quoted, '\\') < 0 || len(quoted) > len(bytesKey)*len(`\u0000`) {
		return string(quoted) == bytesKey
	}
	var s string
	return json.Unmarshal(quoted, &s) == nil && s == bytesKey[1:len(bytesKey)-1]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trimSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\n\r") }
