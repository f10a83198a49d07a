// Checks an exported log, its proofs and an older checkpoint with Go's own note and tlog packages.
//
//	log_check FOLDER KEY OLDER PROOF ENTRY [PROOF ENTRY ...]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		fmt.Println("BAD:", err)
		os.Exit(1)
	}
}

func open(data []byte, verifiers note.Verifiers) tlog.Tree {
	signed, err := note.Open(data, verifiers)
	must(err)
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	hash, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: hash}
}

type folder string

func (f folder) Height() int                        { return 8 }
func (f folder) SaveTiles(t []tlog.Tile, d [][]byte) {}

// ReadTiles reads tiles from the paths of c2sp.org/tlog-tiles, which leave the height out.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	must(err)
	verifiers := note.VerifierList(verifier)
	data, err := os.ReadFile(filepath.Join(os.Args[1], "checkpoint"))
	must(err)
	tree := open(data, verifiers)
	reader := tlog.TileHashReader(tree, folder(os.Args[1]))

	var number int64
	for number < tree.N {
		width := tree.N - number
		name := fmt.Sprintf("tile/entries/%03d", number/256)
		if width < 256 {
			name += fmt.Sprintf(".p/%d", width)
		}
		bundle, err := os.ReadFile(filepath.Join(os.Args[1], name))
		must(err)
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			hash := tlog.RecordHash(bundle[2 : 2+length])
			proof, err := tlog.ProveRecord(tree.N, number, reader)
			must(err)
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, number, hash))
			bundle = bundle[2+length:]
			number++
		}
	}

	data, err = os.ReadFile(os.Args[3])
	must(err)
	older := open(data, verifiers)
	way, err := tlog.ProveTree(tree.N, older.N, reader)
	must(err)
	must(tlog.CheckTree(way, tree.N, tree.Hash, older.N, older.Hash))

	for at := 4; at < len(os.Args); at += 2 {
		data, err := os.ReadFile(os.Args[at])
		must(err)
		head, checkpoint, _ := strings.Cut(string(data), "\n\n")
		lines := strings.Split(head, "\n")
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		must(err)
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			step, err := base64.StdEncoding.DecodeString(line)
			must(err)
			var hash tlog.Hash
			copy(hash[:], step)
			proof = append(proof, hash)
		}
		entry, err := os.ReadFile(os.Args[at+1])
		must(err)
		under := open([]byte(checkpoint), verifiers)
		must(tlog.CheckRecord(proof, under.N, under.Hash, index, tlog.RecordHash(entry)))
	}
	fmt.Println("good:", tree.N)
}
